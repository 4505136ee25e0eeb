"""When clinics are evaluated without anybody asking."""
