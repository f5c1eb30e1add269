// @ts-check
import { parse, View } from 'vega';

/** @typedef {import('./results.js').Curve} Curve */

const FONT = 'sans-serif';

/**
 * Draws a curve.
 *
 * @param {Curve} curve
 * @returns {Promise<string>} an SVG document
 */
export async function plot(curve) {
  const view = new View(parse(specification(curve)), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return `${svg}\n`;
}

/**
 * @param {Curve} curve
 * @returns {import('vega').Spec}
 */
function specification({ x, y, series }) {
  const values = series.flatMap(({ name, points }) => points.map(([at, value]) => ({ name, at, value })));
  return {
    width: 560,
    height: 300,
    padding: 8,
    background: 'white',
    config: { axis: { labelFont: FONT, titleFont: FONT }, legend: { labelFont: FONT } },
    data: [{ name: 'points', values }],
    scales: [
      x.isLogarithmic
        ? { name: 'x', type: 'log', domain: { data: 'points', field: 'at' }, range: 'width' }
        : { name: 'x', domain: { data: 'points', field: 'at' }, range: 'width', zero: true, nice: true },
      { name: 'y', domain: { data: 'points', field: 'value' }, range: 'height', zero: true, nice: true },
      {
        name: 'color',
        type: 'ordinal',
        domain: series.map(({ name }) => name),
        range: ['#1f6feb', '#d1242f', '#1a7f37', '#9a6700'],
      },
    ],
    axes: [
      {
        orient: 'bottom',
        scale: 'x',
        title: x.label,
        grid: true,
        values: [...new Set(values.map(({ at }) => at))],
        labelOverlap: true,
        format: '~d',
      },
      { orient: 'left', scale: 'y', title: y.label, grid: true },
    ],
    legends: [
      { stroke: 'color', symbolType: 'stroke', orient: 'bottom', columns: 2, labelLimit: 0, symbolStrokeWidth: 2 },
    ],
    marks: [
      {
        type: 'group',
        from: { facet: { name: 'line', data: 'points', groupby: 'name' } },
        marks: [
          {
            type: 'line',
            from: { data: 'line' },
            encode: {
              enter: {
                x: { scale: 'x', field: 'at' },
                y: { scale: 'y', field: 'value' },
                stroke: { scale: 'color', field: 'name' },
                strokeWidth: { value: 2 },
              },
            },
          },
          {
            type: 'symbol',
            from: { data: 'line' },
            encode: {
              enter: {
                x: { scale: 'x', field: 'at' },
                y: { scale: 'y', field: 'value' },
                fill: { scale: 'color', field: 'name' },
                size: { value: 24 },
              },
            },
          },
        ],
      },
    ],
  };
}
