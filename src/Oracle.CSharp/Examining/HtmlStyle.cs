namespace Verified.Oracle;

/// <summary>The HTML report's look, in light and dark.</summary>
internal static class HtmlStyle
{
    public const string Text = """

        :root {
          color-scheme: light dark;
          --page: light-dark(#f6f7f9, #14171c); --card: light-dark(#ffffff, #1c2027); --line: light-dark(#dfe3e8, #30363f);
          --ink: light-dark(#1d2329, #e6e9ee); --soft: light-dark(#5d6873, #98a3b0); --code: light-dark(#f2f4f7, #12151a);
          --pass: light-dark(#1a7f4b, #45c486); --pass-back: light-dark(#e3f4ea, #173427);
          --fail: light-dark(#c02b2b, #ff7b72); --fail-back: light-dark(#fce8e7, #45201f);
          --unsure: light-dark(#96690a, #e3b341); --unsure-back: light-dark(#fcf2d5, #3a300f);
          --none: light-dark(#8a94a0, #6c7683); --none-back: light-dark(#eceff2, #252a32);
        }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", "Liberation Sans", "DejaVu Sans", sans-serif; }
        main { max-width: 1060px; margin: 0 auto; padding: 28px 24px 60px; }
        code, pre, kbd, .tiles, .ops, .numbers dd { font-family: ui-monospace, "Cascadia Mono", Menlo, "DejaVu Sans Mono", monospace; }
        code { font-size: .92em; }
        p { margin: 8px 0; }
        header { background: var(--card); border: 1px solid var(--line); border-left: 8px solid var(--none); border-radius: 10px; padding: 18px 26px 14px; }
        header.pass { border-left-color: var(--pass); } header.fail { border-left-color: var(--fail); } header.unsure { border-left-color: var(--unsure); }
        header .engine { margin: 0; font-size: 16px; } header .engine span { color: var(--soft); }
        h1 { font-size: 22px; font-weight: 600; line-height: 1.35; margin: 6px 0 14px; }
        h1 .word { font-weight: 800; letter-spacing: .03em; margin-right: 8px; }
        header.pass .word { color: var(--pass); } header.fail .word { color: var(--fail); } header.unsure .word { color: var(--unsure); }
        .bar { display: flex; height: 10px; border-radius: 5px; overflow: hidden; background: var(--none-back); gap: 1px; }
        .bar i { min-width: 3px; } i.pass { background: var(--pass); } i.fail { background: var(--fail); } i.unsure { background: var(--unsure); } i.none { background: var(--none); }
        .counts { display: flex; flex-wrap: wrap; gap: 8px 34px; margin: 14px 0 10px; }
        .counts div { display: flex; flex-direction: column-reverse; }
        dt { color: var(--soft); font-size: 13px; } dd { margin: 0; }
        .counts dd { font-size: 22px; font-weight: 650; font-variant-numeric: tabular-nums; line-height: 1.2; }
        .counts .pass dd { color: var(--pass); } .counts .fail dd { color: var(--fail); } .counts .unsure dd { color: var(--unsure); } .counts .zero dd { color: var(--none); font-weight: 400; }
        .where, .note, .steps, .again { color: var(--soft); font-size: 13.5px; }
        h2 { font-size: 18px; margin: 34px 0 4px; } h3 { font-size: 14px; font-weight: 600; color: var(--soft); margin: 16px 0 6px; }
        .failure { background: var(--card); border: 1px solid var(--line); border-radius: 8px; margin: 8px 0; padding: 0 18px; }
        .failure[open] { padding-bottom: 8px; border-left: 4px solid var(--fail); }
        summary { cursor: pointer; }
        .failure > summary { display: flex; align-items: center; gap: 12px; padding: 9px 0; list-style: none; }
        .failure > summary::-webkit-details-marker { display: none; }
        .failure > summary::before { content: "\25B8"; color: var(--soft); } .failure[open] > summary::before { content: "\25BE"; }
        .alike { margin: -2px 0 12px 22px; } .alike > summary { color: var(--soft); font-size: 13px; }
        .badge { background: var(--fail-back); color: var(--fail); border-radius: 5px; padding: 1px 9px; font-weight: 600; font-size: 13.5px; white-space: nowrap; }
        .ops { font-weight: 600; font-size: 14px; overflow: hidden; text-overflow: ellipsis; white-space: pre; } .steps { margin-left: auto; white-space: nowrap; }
        .message { font-size: 16px; font-weight: 500; }
        .numbers { display: flex; flex-wrap: wrap; gap: 6px 36px; margin: 10px 0; }
        pre { background: var(--code); border: 1px solid var(--line); border-radius: 6px; padding: 10px 14px; overflow-x: auto; font-size: 13px; line-height: 1.5; margin: 4px 0 8px; }
        figure { margin: 10px 0; } figcaption, .json summary { color: var(--soft); font-size: 13px; }
        .json pre { white-space: pre-wrap; overflow-wrap: anywhere; }
        kbd { background: var(--none-back); color: var(--ink); border-radius: 4px; padding: 2px 8px; user-select: all; font-size: 13px; overflow-wrap: anywhere; }
        .tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(128px, 1fr)); gap: 4px; font-size: 12px; }
        .tiles span { position: relative; padding: 4px 8px; border-radius: 5px; cursor: default; white-space: nowrap; letter-spacing: -.02em; }
        .tiles b { display: block; font-weight: inherit; overflow: hidden; text-overflow: ellipsis; }
        .tiles .pass { background: var(--pass-back); color: var(--pass); }
        .tiles .fail { background: var(--fail); color: var(--card); font-weight: 700; }
        .tiles .near { color: var(--fail); background: repeating-linear-gradient(135deg, var(--fail-back) 0 6px, var(--card) 6px 10px); }
        .tiles .unsure { background: var(--unsure-back); color: var(--unsure); } .tiles .none { background: var(--none-back); color: var(--none); }
        .tiles span:hover::after, .tiles span:focus::after { content: attr(data-tip); position: absolute; left: 0; top: 100%; z-index: 1; margin-top: 4px; white-space: pre; letter-spacing: 0;
          background: var(--ink); color: var(--page); padding: 6px 10px; border-radius: 6px; font: 13px/1.45 system-ui, "Liberation Sans", sans-serif; pointer-events: none; }
        .tiles span:nth-child(7n):hover::after, .tiles span:nth-child(7n-1):hover::after, .tiles span:nth-child(7n):focus::after { left: auto; right: 0; }
        .wide { overflow-x: auto; }
        table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
        th, td { padding: 5px 12px; text-align: right; border-top: 1px solid var(--line); font-size: 14px; } tr:first-child th { border-top: 0; color: var(--soft); font-weight: 500; font-size: 13px; }
        th:first-child { text-align: left; font-weight: 500; } td:nth-child(2) { width: 24%; }
        td.fail { color: var(--fail); font-weight: 650; } td.unsure { color: var(--unsure); } td.zero { color: var(--none); }
        tr:last-child:not(:nth-child(2)) th, tr:last-child:not(:nth-child(2)) td { font-weight: 650; }
        .words dl { display: grid; grid-template-columns: max-content 1fr; gap: 3px 18px; font-size: 13.5px; } .words dd { color: var(--soft); } .words dt { color: var(--ink); }
        @media (max-width: 600px) { main { padding: 12px; } .words dl { display: block; } }
        @media print { .failure { break-inside: avoid; } }

        """;
}
