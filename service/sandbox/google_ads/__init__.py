"""Google Ads over gRPC and TLS, with the token endpoint its service account signs in at."""
