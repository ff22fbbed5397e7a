"""Copies that a practitioner takes away: one child as a PDF for a meeting, the own children as a workbook.

A copy is a release. `agreed` reads the rows through the gate's generated views, so that what leaves is what the
agreement gives and what people's rights leave of it; `child_pdf` and `workbook` set it; `copies` asks, stamps and
hands over.
"""
