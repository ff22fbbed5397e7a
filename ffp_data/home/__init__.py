"""One home of the hub, as every other room finds it: start reading here.

`run` says for which home, landing folder and as-at date something is done; `policy` gives the signed lock in
force there and `kept_locks` the former ones; `terms` what an agreement lets in of a feed, `shut_records` what
a run leaves out since none does any more, `release_zone` and `protected` what binds whatever leaves; `subjects`
stands for people in ledger and lists; `pending` keeps everybody out while a seal is under way. Nothing here
knows of the steps of a run, of look-ups or of pages.
"""
