"""Why a campaign is as it is: what each of its rules came to, and what would have to change for them to want another thing."""
