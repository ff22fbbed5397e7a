"""The NHS number as the single unique identifier: asking the Department's service for it.

Read in this order: `service` (one child, one question), `asking` (a file of children, one file of answers).
What an answer is worth is decided where it comes in, by `ffp_data.feeds.assertions`.
"""
