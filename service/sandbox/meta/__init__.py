"""Meta's Graph API over HTTP: campaigns, ad sets, insights, activities, and its faults."""
