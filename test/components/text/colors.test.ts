import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  backgroundOf,
  backgroundOfEnvironment,
  colorLevel,
  FIRST_COLOR,
  nearestColor,
  PALETTE,
  themeFor,
} from '../../../src/components/text/colors.ts';

test('over SSH only TERM says what a terminal can draw', () => {
  const levels = {
    alacritty: 'truecolor',
    foot: 'truecolor',
    rio: 'truecolor',
    contour: 'truecolor',
    konsole: 'truecolor',
    wezterm: 'truecolor',
    'xterm-kitty': 'truecolor',
    'xterm-ghostty': 'truecolor',
    'xterm-direct': 'truecolor',
    'xterm-256color': '256',
    'tmux-256color': '256',
    'putty-256color': '256',
    xterm: '16',
    screen: '16',
    linux: '16',
    vt220: '16',
    'no-such-terminal': '16',
    'xterm-mono': 'none',
    dumb: 'none',
    '': 'none',
  };
  for (const [TERM, level] of Object.entries(levels)) assert.equal(colorLevel({ TERM }, true), level, TERM);
});

test('COLORTERM raises the level, but not within screen', () => {
  for (const COLORTERM of ['truecolor', '24bit']) {
    assert.equal(colorLevel({ TERM: 'xterm-256color', COLORTERM }, true), 'truecolor');
    assert.equal(colorLevel({ TERM: 'screen.xterm-256color', COLORTERM }, true), '256');
    assert.equal(colorLevel({ TERM: 'screen-256color', COLORTERM, TMUX: '/tmp/tmux' }, true), 'truecolor');
  }
});

test('the user has the last word: --no-color, NO_COLOR, FORCE_COLOR', () => {
  const TERM = 'foot';
  assert.equal(colorLevel({ TERM }, false), 'none');
  assert.equal(colorLevel({ TERM, NO_COLOR: '1', FORCE_COLOR: '3' }, true), 'none');
  assert.equal(colorLevel({ TERM, NO_COLOR: '' }, true), 'truecolor');
  assert.equal(colorLevel({ TERM, FORCE_COLOR: '0' }, true), 'none');
  assert.equal(colorLevel({ TERM, FORCE_COLOR: '1' }, true), '16');
  assert.equal(colorLevel({ TERM: '', FORCE_COLOR: 'true' }, true), '16');
  assert.equal(colorLevel({ TERM: '', FORCE_COLOR: '3' }, true), 'truecolor');
});

test('a theme is drawn only if the terminal has its colors', () => {
  assert.equal(themeFor('auto', 'truecolor', undefined), '16');
  assert.equal(themeFor('auto', '256', 'light'), 'light');
  assert.equal(themeFor('auto', '16', 'light'), '16');
  assert.equal(themeFor('dark', '256', 'light'), 'dark');
  assert.equal(themeFor('light', '16', undefined), '16');
  assert.equal(themeFor('16', 'truecolor', 'dark'), '16');
  assert.equal(themeFor('none', 'truecolor', 'dark'), 'none');
  assert.equal(themeFor('light', 'none', 'light'), 'none');
});

test('a background is light or dark, by COLORFGBG or by its color', () => {
  assert.equal(backgroundOfEnvironment({ COLORFGBG: '15;0' }), 'dark');
  assert.equal(backgroundOfEnvironment({ COLORFGBG: '0;default;15' }), 'light');
  assert.equal(backgroundOfEnvironment({ COLORFGBG: '0;7' }), 'light');
  assert.equal(backgroundOfEnvironment({ COLORFGBG: '15;8' }), 'dark');
  for (const COLORFGBG of ['', '15', '15;default', undefined])
    assert.equal(backgroundOfEnvironment({ COLORFGBG }), undefined);
  assert.equal(backgroundOf({ red: 0x1e, green: 0x1e, blue: 0x2e }), 'dark');
  assert.equal(backgroundOf({ red: 0xfd, green: 0xf6, blue: 0xe3 }), 'light');
  assert.equal(backgroundOf({ red: 255, green: 0, blue: 255 }), 'dark');
});

test('the nearest of the 256 colors is the color itself if it is one of them', () => {
  const hex = fc.integer({ min: 0, max: 0xffffff }).map((value) => `#${value.toString(16).padStart(6, '0')}`);
  fc.assert(
    fc.property(hex, (color) => {
      const nearest = nearestColor(color);
      return nearest >= FIRST_COLOR && nearest < FIRST_COLOR + PALETTE.length;
    }),
  );
  for (const rgb of PALETTE) {
    const color = `#${rgb.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
    assert.deepEqual(PALETTE[nearestColor(color) - FIRST_COLOR], rgb);
  }
});
