"""Tools that people offer to models, with ways to ask for them.

They stand in phrases/tools*.txt: names, `=` descriptions, `:` parameters, requests; alternatives are split by "/". A parameter is
`names:kind`, with `?` when it is optional; a kind is a function of values.py, `=a,b,c` for an enumeration, or `bool`. A request
names its parameters by number: `{0}`; a boolean is `{2:what is said for true;what is said for false}`. What a request doesn't
name stays out of the call.
"""

from . import data

ROWS = data.tools()
