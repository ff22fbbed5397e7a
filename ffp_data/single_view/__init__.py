"""The single view as people read it: the published file opened, and a child's facts in words.

Pages, prints and workbooks all take their facts and words from here, so that none of them can differ.
"""
