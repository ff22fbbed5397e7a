"""Figures for everybody: counted here (`published_counts`, `programme`), protected and released (`published`)."""
