"""The look of the report's page."""

STYLESHEET = """
:root { --ink: #22272e; --muted: #57606a; --line: #d8dee4; --ground: #f6f8fa; --paper: #ffffff; --accent: #2f6690;
  --reference: #0072b2; --query: #c05000; color-scheme: light dark; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); -webkit-print-color-adjust: exact;
  print-color-adjust: exact;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 40px 24px 64px; }
header { margin-bottom: 28px; }
h1 { margin: 0; font-size: 30px; line-height: 1.25; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h1 small { font-size: 18px; font-weight: 400; color: var(--muted); padding: 0 4px; }
h1 span { display: inline-block; }
h1 .reference { color: var(--reference); }
h1 .query { color: var(--query); }
h2 { margin: 0 0 6px; font-size: 21px; line-height: 1.3; }
h3 { display: flex; gap: 10px; align-items: baseline; margin: 0 0 12px; font-size: 17px; line-height: 1.4;
  text-wrap: balance;
  overflow-wrap: anywhere; }
p { margin: 0 0 16px; max-width: 74ch; }
h2 + .wide { margin-top: 12px; }
h2 + p, .facts { color: var(--muted); }
.facts { margin: 6px 0 0; font-size: 15px; max-width: none; }
section { margin: 0 0 44px; }
.scores { display: grid; grid-template-columns: auto 1fr; gap: 40px; align-items: center; padding: 28px 32px;
  background: var(--paper); border: 1px solid var(--line); border-radius: 12px; }
.score { display: grid; place-items: center; width: 176px; height: 176px; border-radius: 50%;
  background: conic-gradient(var(--accent) var(--score), var(--line) 0); }
.score > div { display: grid; place-content: center; text-align: center; width: 146px; height: 146px;
  border-radius: 50%; background: var(--paper); }
.score strong { font-size: 58px; line-height: 1; letter-spacing: -0.02em; font-variant-numeric: tabular-nums; }
.score span { color: var(--muted); font-size: 14px; margin-top: 4px; }
.summary { font-size: 18px; margin-bottom: 18px; }
dl, dd { margin: 0; }
.bars { display: grid; grid-template-columns: 1fr 1fr; gap: 16px 32px; }
.bars dt { font-weight: 600; text-transform: capitalize; }
.bars dd { display: grid; grid-template-columns: 1fr auto; gap: 4px 12px; align-items: center; }
.bars b { order: 2; font-variant-numeric: tabular-nums; }
.bars small { order: 3; grid-column: 1 / -1; color: var(--muted); font-size: 13px; line-height: 1.4; }
.bar { height: 10px; border-radius: 5px; background: var(--line); overflow: hidden; }
.bar span { display: block; height: 100%; border-radius: 5px; background: var(--accent); }
.learned { padding: 28px 32px; background: var(--paper); border: 1px solid var(--line); border-radius: 12px; }
.learned p { margin: 24px 0 10px; padding-top: 20px; max-width: none; border-top: 1px solid var(--line); }
.marks { display: grid; grid-template-columns: 1fr 1fr; gap: 16px 32px; }
.marks .reference { color: var(--reference); }
.marks .query { color: var(--query); }
.marks dt { font-weight: 600; }
.marks strong { display: block; font-size: 34px; line-height: 1.2; font-variant-numeric: tabular-nums; }
.marks small { display: block; color: var(--muted); font-size: 13px; line-height: 1.4; }
.stages { display: grid; gap: 8px; }
.stages div { display: grid; grid-template-columns: 9em 1fr; gap: 16px; align-items: center; }
.stages dt { font-weight: 600; overflow-wrap: anywhere; }
.stages dd { display: grid; grid-template-columns: 1fr 4em 11em; gap: 16px; align-items: center; }
.stages b { text-align: right; font-variant-numeric: tabular-nums; }
.stages small { color: var(--muted); font-size: 13px; }
.both { background: linear-gradient(90deg, transparent calc(50% - 1px), var(--muted) 0 calc(50% + 1px), transparent 0)
  var(--line); }
.bar .less { background: var(--query); }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 400px), 1fr)); gap: 24px; }
article { padding: 20px; background: var(--paper); border: 1px solid var(--line); border-radius: 12px;
  break-inside: avoid; }
@media screen and (min-width: 761px) {
  article:only-child { grid-column: 1 / -1; display: grid; grid-template-columns: 1fr 1fr; column-gap: 32px; }
  article:only-child h3 { grid-column: 1 / -1; }
  article:only-child dl { align-content: center; margin-top: 0; }
}
.rank { flex: none; width: 26px; height: 26px; border-radius: 50%; background: var(--accent); color: #ffffff;
  font-size: 14px; line-height: 26px; text-align: center; }
article dl { display: grid; grid-template-columns: 1fr 1fr; gap: 8px 20px; margin-top: 14px; font-size: 15px; }
article dt { color: var(--muted); font-size: 13px; line-height: 1.3; }
img { display: block; width: 100%; height: auto; border-radius: 6px; background: #ffffff; }
.wide { overflow-x: auto; background: var(--paper); border: 1px solid var(--line); border-radius: 12px; }
.picture { padding: 16px; background: #ffffff; }
.picture img { min-width: 640px; }
.cards + .wide { margin-top: 24px; }
.wide + p { margin: 16px 0 4px; }
table { width: 100%; border-collapse: collapse; font-size: 15px; font-variant-numeric: tabular-nums; }
th, td { padding: 10px 14px; border-bottom: 1px solid var(--line); }
th { color: var(--muted); font-size: 13px; font-weight: 600; white-space: nowrap; }
tbody tr:last-child td { border-bottom: 0; }
.word { text-align: left; min-width: 8em; overflow-wrap: anywhere; }
.number { text-align: right; white-space: nowrap; }
ul { margin: 0; padding-left: 20px; max-width: 74ch; }
details { color: var(--muted); }
summary { cursor: pointer; }
pre { overflow-x: auto; padding: 16px; border: 1px solid var(--line); border-radius: 12px; background: var(--paper);
  font-size: 13px; line-height: 1.5; }
@media screen and (max-width: 760px) {
  main { padding: 24px 16px 48px; }
  h1 { font-size: 24px; }
  h1 small { display: block; padding: 2px 0; font-size: 15px; }
  .scores { grid-template-columns: 1fr; gap: 24px; padding: 20px; }
  .score { margin: 0 auto; }
  .bars, .marks { grid-template-columns: 1fr; }
  .learned { padding: 20px; }
  .stages div { grid-template-columns: 1fr; gap: 2px; }
  .stages dd { grid-template-columns: 1fr auto; gap: 2px 12px; }
  .stages small { grid-column: 1 / -1; }
  article { padding: 16px; }
}
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --muted: #9aa5b1; --line: #30363d; --ground: #0d1117; --paper: #161b22; --accent: #5b9bd0;
    --reference: #58aee5; --query: #f0883e; }
}
@media print {
  :root { --ground: #ffffff; }
  body { font-size: 12px; }
  main { max-width: none; padding: 0; }
  section { break-inside: avoid-page; margin-bottom: 24px; }
  section:has(.cards) { break-inside: auto; }
  .picture img { min-width: 0; }
  .cards { grid-template-columns: 1fr 1fr; gap: 12px; }
  .wide { overflow: visible; }
  table { font-size: 11px; }
  th, td { padding: 5px 7px; white-space: normal; }
  .scores { gap: 24px; padding: 16px; }
}
"""
