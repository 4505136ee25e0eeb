"""Google Ads through its official client: campaigns in our words, and the two things we change (status and daily budget).

Nothing outside this folder knows micros, GAQL, resource names or gRPC. `account` is what the service uses; `client` owns the
SDK, `wire` its messages, `errors` its exceptions; `eligibility` and `money` are pure.
"""
