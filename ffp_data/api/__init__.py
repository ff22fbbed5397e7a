"""The look-ups as a JSON API: `app` has the routes, `problems` the errors, `server` starts it (docs/api.md)."""
