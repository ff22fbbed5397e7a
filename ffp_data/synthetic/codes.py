"""Crosswalks between the code sets that agencies use for one fact."""

from __future__ import annotations

# DfE ethnicity code -> NHS ethnic category (NHS Data Dictionary, 16+1 list)
NHS_ETHNICITY = {
    "WBRI": "A", "WIRI": "B", "WIRT": "C", "WROM": "C", "WOTH": "C", "MWBC": "D", "MWBA": "E", "MWAS": "F",
    "MOTH": "G", "AIND": "H",
    "APKN": "J", "ABAN": "K", "AOTH": "L", "BCRB": "M", "BAFR": "N", "BOTH": "P", "CHNE": "R", "OOTH": "S",
}  # fmt: skip

# DfE ethnicity code -> officer-defined ethnicity of police records (1 white north European ... 6 Arabic, 9 not known)
OFFICER_ETHNICITY = {
    "WBRI": "1", "WIRI": "1", "WIRT": "1", "WROM": "2", "WOTH": "1", "MWBC": "3", "MWBA": "3", "MWAS": "4",
    "MOTH": "9", "AIND": "4",
    "APKN": "4", "ABAN": "4", "AOTH": "4", "BCRB": "3", "BAFR": "3", "BOTH": "3", "CHNE": "5", "OOTH": "6",
}  # fmt: skip
