// When nobody is to be disturbed.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isQuiet, parseQuietHours, type QuietHours } from '../../src/policy/quietHours.ts';

function hoursOf(text: string): QuietHours {
  const parsed = parseQuietHours(text);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed.hours;
}

test('hours may reach over midnight, and are those of their time zone', () => {
  const night = hoursOf('22:00-07:30 Europe/Berlin');
  // Berlin is two hours ahead of UTC in summer, one in winter.
  for (const [time, quiet] of [
    ['2026-07-01T19:59:00Z', false],
    ['2026-07-01T20:00:00Z', true],
    ['2026-07-02T05:29:59Z', true],
    ['2026-07-02T05:30:00Z', false],
    ['2026-01-01T20:00:00Z', false],
    ['2026-01-01T21:00:00Z', true],
  ] as const) {
    assert.is(isQuiet(night, Date.parse(time)), quiet, time);
  }
});

test('hours within a day, in UTC where no zone is named', () => {
  const noon = hoursOf('12:00 - 13:00');
  assert.is(isQuiet(noon, Date.parse('2026-01-01T12:59:59Z')), true);
  assert.is(isQuiet(noon, Date.parse('2026-01-01T13:00:00Z')), false);
  assert.is(isQuiet(null, Date.parse('2026-01-01T12:30:00Z')), false);
});

test('what is no such time is refused with what it should be', () => {
  for (const text of ['', '22:00', '24:00-07:00', '22:60-07:00', '07:00-07:00', '22-7', '22:00-07:00 CET extra']) {
    const parsed = parseQuietHours(text);
    assert.match('problem' in parsed ? parsed.problem : '', 'like 22:00-07:00 Europe/Berlin', text);
  }
  const parsed = parseQuietHours('22:00-07:00 Europe/Atlantis');
  assert.match('problem' in parsed ? parsed.problem : '', /time zone/);
});

test.run();
