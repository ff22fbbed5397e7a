"""Who may read a person or act on an identifier: roles as data, one decision, every answer ledgered.

`roles` reads the register of roles and their rights, `tokens` keeps the hashes of the API's bearer
tokens, `gate` decides and writes down each read and each refusal. It knows nothing of commands or
routes; those hand it a `Principal` and say which right they are about to use.
"""

from __future__ import annotations

from governance.access.gate import AccessDeniedError, Gate, Subjects
from governance.access.journal import Journal
from governance.access.roles import Principal, Right, Roles, load_roles
from governance.access.tokens import Token, TokenBook, TokenError

__all__ = [
    "AccessDeniedError",
    "Gate",
    "Journal",
    "Principal",
    "Right",
    "Roles",
    "Subjects",
    "Token",
    "TokenBook",
    "TokenError",
    "load_roles",
]
