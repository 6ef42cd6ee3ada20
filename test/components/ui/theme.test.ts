import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FIRST_COLOR, nearestColor, PALETTE, type Rgb, rgbOf } from '../../../src/components/text/colors.ts';
import { createTheme, PALETTES } from '../../../src/components/ui/theme.ts';

/** Luminance and contrast as WCAG 2 defines them. */
function luminance(rgb: Rgb): number {
  const [red, green, blue] = rgb.map((part) => {
    const value = part / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(a: Rgb, b: Rgb): number {
  const [dark, light] = [luminance(a), luminance(b)].toSorted((x, y) => x - y) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** Backgrounds that a theme must be readable on: pure, and of common color schemes. */
const BACKGROUNDS = {
  light: ['#ffffff', '#fdf6e3', '#fafafa', '#eff1f5'],
  dark: ['#000000', '#1e1e2e', '#282c34', '#002b36'],
} as const;

for (const name of ['light', 'dark'] as const)
  test(`every color of the ${name} theme has a contrast of at least 4.5:1, with 256 colors too`, () => {
    for (const [tone, color] of Object.entries(PALETTES[name])) {
      for (const background of BACKGROUNDS[name]) {
        const drawn = [rgbOf(color), PALETTE[nearestColor(color) - FIRST_COLOR] ?? [0, 0, 0]] as const;
        for (const rgb of drawn) {
          const found = contrast(rgb, rgbOf(background));
          assert.ok(found >= 4.5, `${tone} ${rgb} on ${background}: ${found.toFixed(2)}`);
        }
      }
    }
  });

test('a theme uses only what the terminal has', () => {
  const colors = (name: 'dark' | 'light' | '16' | 'none', level: 'truecolor' | '256') => {
    const { styles, highlight } = createTheme(name, level);
    return [...Object.values(styles), highlight].flatMap(({ color }) => (color ? [color] : []));
  };
  assert.ok(colors('dark', 'truecolor').every((color) => color.startsWith('#')));
  assert.ok(colors('light', '256').every((color) => color.startsWith('ansi256(')));
  assert.ok(colors('16', 'truecolor').every((color) => /^[a-z]+$/.test(color)));
  assert.deepEqual(colors('none', 'truecolor'), []);
});

test('the cursor row is inverse in every theme', () => {
  for (const name of ['dark', 'light', '16', 'none'] as const)
    assert.equal(createTheme(name, '256').highlight.inverse, true);
});
