"""The domain of the Families First data hub: feeds, identifiers, the hub, returns, extracts, command line."""
