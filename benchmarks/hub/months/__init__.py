"""A synthetic partnership over time: families are born, move, marry, part, come and go (``town``); agencies
hear of it sooner or later and keep their records (``registers``); every month they deliver, some late
(``partnership``). Truth is kept beside it. Rates and their sources are in months.yaml."""

from benchmarks.hub.months.partnership import Month, MonthlyPartnership

__all__ = ["Month", "MonthlyPartnership"]
