/** A bar chart as SVG, written by hand: grey text on no ground, so that it reads on a light page and on a dark one. */

export interface Bar {
  label: string
  value: number
  /** What stands behind the bar. */
  note: string
  emphasis: boolean
}
export interface Panel {
  title: string
  bars: Bar[]
}

const width = 760
const labelWidth = 210
const noteWidth = 130
const rowHeight = 26
const headHeight = 38
const panelGap = 14

const style = `
    text { font: 13px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #59636e }
    .title { font-size: 14px; font-weight: 600; fill: #1f2328 }
    .ours { font-weight: 600; fill: #1f2328 }
    .bar { fill: #8c959f; fill-opacity: .55 }
    .bar.ours { fill: #2f6feb; fill-opacity: 1 }
    .floor { stroke: #8c959f; stroke-dasharray: 2 3 }
    @media (prefers-color-scheme: dark) {
      text { fill: #9198a1 }
      .title, text.ours { fill: #f0f6fc }
      .bar.ours { fill: #4493f8 }
    }`

const escape = (text: string) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)

function drawPanel(panel: Panel, top: number): string {
  const longest = Math.max(...panel.bars.map((bar) => bar.value))
  const room = width - labelWidth - noteWidth
  const length = (value: number) => Math.max(2, (value / longest) * room)
  const floor = labelWidth + length(panel.bars[0]?.value ?? 0)
  const bottom = top + headHeight + panel.bars.length * rowHeight
  const rows = panel.bars.map((bar, index) => {
    const y = top + headHeight + index * rowHeight
    const ours = bar.emphasis ? ' ours' : ''
    return `  <text class="label${ours}" x="${labelWidth - 10}" y="${y + 16}" text-anchor="end">${escape(bar.label)}</text>
  <rect class="bar${ours}" x="${labelWidth}" y="${y + 3}" width="${length(bar.value).toFixed(1)}" height="${rowHeight - 8}" rx="3"/>
  <text class="note${ours}" x="${(labelWidth + length(bar.value) + 8).toFixed(1)}" y="${y + 16}">${escape(bar.note)}</text>`
  })
  return [
    `  <text class="title" x="0" y="${top + 22}">${escape(panel.title)}</text>`,
    `  <line class="floor" x1="${floor.toFixed(1)}" y1="${top + headHeight - 4}" x2="${floor.toFixed(1)}" y2="${bottom}"/>`,
    ...rows,
  ].join('\n')
}

export function chart(title: string, panels: Panel[]): string {
  let top = 0
  const drawn = panels.map((panel) => {
    const here = drawPanel(panel, top)
    top += headHeight + panel.bars.length * rowHeight + panelGap
    return here
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${top}" viewBox="0 0 ${width} ${top}" role="img" aria-label="${escape(title)}">
  <title>${escape(title)}</title>
  <style>${style}
  </style>
${drawn.join('\n')}
</svg>
`
}
