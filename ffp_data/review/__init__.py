"""The review of doubtful links by people: which pairs, in which order, what is shown, what binds.

Read in this order: ``rules`` (choices as data), ``found`` (which pairs of records somebody should look
at), ``decided`` (which of them are settled), ``order`` (what comes first and why), ``sheet`` and
``evidence`` (what a reviewer sees before and after the first verdict), ``desk`` (a reviewer at work;
the only part that reads stores). When verdicts bind is the hub's: ``ffp_data.hub.deciding``. The queue
is computed at the end of a run by ``ffp_data.pipeline.review_queue``.
"""
