/** How a report looks: on light and dark screens, on narrow ones, and on paper. */
export const style = `
:root {
  color-scheme: light dark;
  --page: #fbf9f5; --card: #ffffff; --ink: #231f1a; --soft: #6f675d; --line: #e6dfd4; --mark: #736a5e;
  --amber: #a55c00; --blue: #2f6fb3; --flag: 217 72 15; --edge: #b8430c; --good: #2c7a4b;
  --heat: rgb(var(--flag));
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #16130f; --card: #1f1b16; --ink: #ece5da; --soft: #a79d90; --line: #38312a; --mark: #978c7e;
    --amber: #f0a63a; --blue: #74aee8; --flag: 208 80 30; --edge: #ff9a62; --good: #6fc592;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.6 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 48px 24px 64px; }
h1, h2, h3 { line-height: 1.25; font-weight: 650; margin: 0; letter-spacing: -0.01em; }
h1 { font-size: 2.1rem; }
h1 span { color: var(--amber); }
h2 { font-size: 1.35rem; margin: 56px 0 6px; }
h3 { font-size: 1rem; }
p { margin: 6px 0; max-width: 72ch; }
.soft, figcaption p, .note { color: var(--soft); }
.lead { font-size: 1.13rem; margin: 12px 0 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 14px; margin: 28px 0 0; padding: 0; list-style: none; }
.tiles li, figure, .sample, .card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
.tiles li { padding: 14px 18px; }
.tiles b { display: block; font-size: 1.7rem; font-weight: 650; line-height: 1.2; font-variant-numeric: tabular-nums; }
.tiles span { color: var(--soft); font-size: 0.9rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(460px, 100%), 1fr)); gap: 16px; margin-top: 16px; }
figure { margin: 0; padding: 18px 18px 10px; display: flex; flex-direction: column; justify-content: space-between; }
figcaption p { font-size: 0.9rem; }
figure svg { width: 100%; height: auto; margin-top: 8px; color: var(--soft); font-size: 11.5px; --plot-background: var(--card); }
.maps { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(400px, 100%), 1fr)); gap: 16px; margin-top: 16px; }
.maps svg { max-width: 430px; margin: 0 auto; }
.wide { margin-top: 16px; }
.matrix { margin-top: 16px; } .matrix figure { overflow-x: auto; } .matrix svg { max-width: max-content; }
td.errs { white-space: normal; min-width: 260px; overflow-wrap: anywhere; }
.keys { list-style: none; display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 6px 0 0; padding: 0; font-size: 0.85rem; }
.keys i { display: inline-block; width: 18px; height: 3px; border-radius: 2px; margin-right: 7px; vertical-align: middle; background: currentColor; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.keys i.dashed { height: 0; background: none; border-top: 2px dashed; border-radius: 0; }
.keys i.train { opacity: 0.55; height: 2px; }
.keys i.band { opacity: 0.25; height: 11px; }
.sample { padding: 12px 20px 16px; margin-top: 12px; }
.sample h3 { font-size: 0.85rem; color: var(--soft); font-weight: 550; }
.words { line-height: 2.8; max-width: none; margin: 2px 0 0; }
.legend .words { line-height: 2.4; display: flex; flex-wrap: wrap; gap: 0 28px; }
.word { padding: 2px 3px; border-radius: 4px; background: rgb(var(--flag) / calc(var(--p) * 0.75)); print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.hidden { border-bottom: 2px dotted var(--good); border-radius: 4px 4px 0 0; }
.replaced { box-shadow: inset 0 0 0 1.5px var(--edge); border-bottom: 0; border-radius: 4px; }
ruby { ruby-align: center; }
rt { font-size: 0.68em; line-height: 1; color: var(--soft); padding-bottom: 4px; }
.hear { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.scale { display: inline-block; width: 90px; height: 0.9em; border-radius: 4px; vertical-align: -0.1em; margin: 0 6px; background: linear-gradient(90deg, rgb(var(--flag) / 0), rgb(var(--flag) / 0.75)); border: 1px solid var(--line); print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.above { margin: 18px 0 0; }
table.guesses th, table.guesses td, table.near th, table.near td { padding: 8px 10px; }
table.guesses tbody th { font-weight: 400; color: var(--soft); min-width: 190px; }
.gap { color: var(--good); border-bottom: 2px dotted var(--good); font-weight: 600; }
.guess { display: block; white-space: nowrap; line-height: 1.55; padding: 0 4px; border-radius: 3px; background: linear-gradient(90deg, var(--line) calc(var(--p) * 100%), transparent 0); print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.guess small { color: var(--soft); }
.guess.right { color: var(--good); font-weight: 650; }
table.near td { white-space: nowrap; } table.near td.errs { white-space: normal; } table.near td .soft { font-size: 0.8rem; }
.scroll { overflow-x: auto; position: relative; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 10px 16px; border-bottom: 1px solid var(--line); vertical-align: top; }
thead th { font-size: 0.85rem; color: var(--soft); font-weight: 550; }
tbody th { font-weight: 550; }
tbody tr:last-child > * { border-bottom: 0; }
td.number { white-space: nowrap; }
td.note { font-size: 0.9rem; min-width: 220px; }
td.better { color: var(--good); font-weight: 600; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 6px 20px; margin: 12px 0; }
dt { font-weight: 600; } dd { margin: 0; max-width: 72ch; }
@media (max-width: 640px) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 10px; } main { padding: 28px 14px; } }
details { margin-top: 16px; } summary { cursor: pointer; color: var(--soft); }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 14px 18px; overflow-x: auto; font-size: 0.82rem; line-height: 1.45; }
footer { margin-top: 48px; color: var(--soft); font-size: 0.9rem; }
@media print {
  :root { --flag: 217 72 15; --page: #fff; --card: #fff; --ink: #111; --soft: #555; --line: #ccc; --mark: #666; --amber: #a55c00; --blue: #2f6fb3; --edge: #b8430c; --good: #2c7a4b; }
  main { max-width: none; padding: 0; } h2 { margin-top: 28px; break-after: avoid; }
  figure, .sample, .tiles li, tr { break-inside: avoid; } .charts, .maps { grid-template-columns: 1fr 1fr; }
  body { font-size: 12px; } details { display: none; }
}`;
