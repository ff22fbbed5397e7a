"""The command `ffp`. Each module holds one group of commands; heavy imports stay inside the command."""
