"""How the page of studies looks, and what a browser may load and run for it."""

from __future__ import annotations

import base64
import hashlib

STYLE = """
:root{color-scheme:light dark;--text:#1b1f24;--soft:#57606a;--line:#d8dee4;--back:#fff;
--field:#fff;--panel:#f6f8fa;--link:#0550ae;--bad:#b3261e;--box:#24292f;--in-box:#c9d1d9}
@media(prefers-color-scheme:dark){:root{--text:#e6edf3;--soft:#9da7b3;--line:#30363d;--back:#0d1117;
--field:#0d1117;--panel:#161b22;--link:#79b8ff;--bad:#ff9d94;--box:#010409}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:76rem;padding:1.25rem 1rem 3rem;color:var(--text);
background:var(--back);font:16px/1.45 system-ui,-apple-system,"Segoe UI",sans-serif}
a{color:var(--link)}
header{display:flex;align-items:baseline;gap:1rem;flex-wrap:wrap;margin-bottom:1rem}
h1{font-size:1.5rem;margin:0;flex:1}
h1 a{color:inherit;text-decoration:none}
form{display:flex;flex-wrap:wrap;gap:.75rem;align-items:end;padding:1rem;margin-bottom:1.25rem;
border:1px solid var(--line);border-radius:.6rem;background:var(--panel)}
label{display:grid;gap:.2rem;font-size:.85rem;color:var(--soft);flex:1 1 9rem}
label.day{flex:0 1 9.5rem}label.short{flex:0 1 7rem}
input,button{font:inherit;padding:.4rem .6rem;border:1px solid var(--line);border-radius:.4rem;
min-height:2.5rem;color:var(--text);background:var(--field);width:100%}
button{width:auto;padding:.4rem 1.1rem;color:#fff;background:#0550ae;
border-color:#0550ae;cursor:pointer}
form a{padding:.55rem .2rem}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.problem{padding:.8rem 1rem;border:1px solid var(--bad);border-radius:.6rem;color:var(--bad)}
.note,footer,small,caption{color:var(--soft);font-size:.85rem}
table{border-collapse:collapse;width:100%}
caption{text-align:left;padding:0 0 .5rem}
th{text-align:left;font-size:.85rem;font-weight:600;color:var(--soft);padding:.4rem .75rem}
th,td{border-bottom:1px solid var(--line)}
td{padding:.5rem .75rem;vertical-align:middle;overflow-wrap:anywhere}
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums}
td.date,td.picture,td.number{white-space:nowrap;overflow-wrap:normal}
td small{display:block}
tbody tr:hover{background:var(--panel)}
.patient a{font-weight:600}
.picture{width:5.5rem}
.picture img{display:block;width:64px;height:64px;object-fit:contain;border-radius:.4rem;
background:var(--box);color:var(--in-box);position:relative;overflow:hidden;font-size:.8rem}
.picture img::after{content:attr(alt);position:absolute;inset:0;display:grid;place-items:center;
background:var(--box);text-align:center}
.kind{display:inline-block;border:1px solid var(--line);border-radius:.4rem;padding:0 .4rem;
font-size:.85rem;margin:.1rem .2rem .1rem 0}
nav{display:flex;gap:1.25rem;padding:1rem .75rem}
footer{border-top:1px solid var(--line);margin-top:2rem;padding-top:1rem;overflow-wrap:anywhere}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@media(max-width:46rem){thead{display:block;position:absolute;clip-path:inset(50%);
width:1px;height:1px;overflow:hidden}
table,tbody,caption{display:block}
tbody tr{display:grid;grid-template-columns:5rem 1fr auto;padding:.6rem 0;
border-bottom:1px solid var(--line)}
td{border:0;padding:.1rem .4rem}
.picture{grid-row:1/5;width:auto}.patient,.study{grid-column:2/4}.kinds{grid-column:2}
.date{grid-column:2}td.number::after{content:" instances"}
label{flex-basis:45%}label.day{flex:1 1 45%}}
"""
POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""The Content-Security-Policy of the page: pictures of its origin, and no script at all."""
