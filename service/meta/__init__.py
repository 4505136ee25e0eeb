"""Meta (Facebook and Instagram) ad accounts through the facebook-business SDK.

Nothing outside this folder knows Meta's vocabulary: minor units, Graph error codes and statuses stay here. The SDK itself
is imported only when a first request is made, because it costs a tenth of a second.
"""
