"""Tests of rule files: given metrics, and series of them, what the rules must want. Data beside the rules; pure."""
