/// The style sheet of a comparison's page.
enum ComparisonStyle {
  static let css = """
    :root {
      --paper: #fbfaf8; --card: #ffffff; --ink: #1d1f23; --quiet: #666c75; --line: #e3e1dc;
      --good: #1a7044; --good-soft: #e5f3ea; --bad: #a8281c; --bad-soft: #fbe7e3;
      --accent: #2a5bd7; --mark: #ffd9cf;
      --text: system-ui, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif;
      --mono: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --paper: #15171b; --card: #1d2026; --ink: #e7e8ea; --quiet: #9aa1ab; --line: #31353d;
        --good: #67cd95; --good-soft: #173325; --bad: #ff9485; --bad-soft: #3d1f1b;
        --accent: #8fb0ff; --mark: #6d2b20;
      }
    }
    * { box-sizing: border-box; }
    body { margin: 0; background: var(--paper); color: var(--ink);
      font: 15px/1.55 var(--text); }
    main { max-width: 1080px; margin: 0 auto; padding: 40px 24px 80px; }
    h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; letter-spacing: -0.01em; }
    h2 { font-size: 18px; margin: 44px 0 12px; }
    h3 { font-size: 15px; margin: 0 0 2px; }
    p { margin: 0 0 10px; }
    .quiet { color: var(--quiet); }
    code, .mono { font-family: var(--mono); font-size: 13px; }
    .banner { border-radius: 10px; padding: 16px 20px; margin: 24px 0; font-size: 17px;
      font-weight: 600; border-left: 5px solid; overflow-wrap: anywhere; }
    .banner.good { background: var(--good-soft); border-color: var(--good); color: var(--good); }
    .banner.bad { background: var(--bad-soft); border-color: var(--bad); color: var(--bad); }
    .card { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
      padding: 18px 20px; margin: 0 0 18px; }
    .scroll { overflow-x: auto; }
    table { border-collapse: collapse; width: 100%; }
    th, td { text-align: left; padding: 5px 14px 5px 0; border-bottom: 1px solid var(--line);
      vertical-align: top; }
    tr:last-child td, tr:last-child th { border-bottom: 0; }
    th { font-size: 13px; font-weight: 600; color: var(--quiet); white-space: nowrap; }
    td.number, th.number { text-align: right; font-variant-numeric: tabular-nums;
      white-space: nowrap; }
    tr.sub td:first-child { padding-left: 18px; color: var(--quiet); }
    tr.differs td, tr.sub.differs td:first-child { color: var(--bad); font-weight: 600; }
    tr.differs td a { color: inherit; }
    .totals { max-width: 560px; }
    .frames td { font-family: var(--mono); font-size: 12.5px; white-space: nowrap; }
    .frames td.wide { width: 100%; }
    .sides { display: grid; grid-template-columns: 1fr 1fr; gap: 24px; margin: 14px 0 0; }
    .sides > div { min-width: 0; }
    @media (max-width: 760px) { .sides { grid-template-columns: 1fr; } }
    .verdict { font-weight: 600; }
    ol.steps { list-style: none; margin: 8px 0 0; padding: 0 0 0 2px;
      border-left: 2px solid var(--line); }
    ol.steps li { padding: 3px 0 3px 14px; overflow-wrap: anywhere; }
    ol.steps .where { font-family: var(--mono); font-size: 12.5px; color: var(--accent); }
    .hex { font-family: var(--mono); font-size: 13px; line-height: 1.7; margin: 16px 0 0; }
    .hex table { width: auto; }
    .hex td { border: 0; padding: 0 18px 0 0; white-space: pre; }
    .hex .offset { color: var(--quiet); }
    .hex mark { background: var(--mark); color: inherit; border-radius: 3px; font-weight: 700; }
    .hex tr.same td { color: var(--quiet); }
    .break { overflow-wrap: anywhere; }
    """
}
