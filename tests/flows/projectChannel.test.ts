import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { channelName } from '../../src/flows/projectChannel.ts';

const VALID = /^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$/;

test('every repository gets a name that the chat server accepts', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 120 }), fc.nat(4), (repo, attempt) => {
      assert.match(channelName(repo, attempt), VALID);
    }),
  );
});

test('the plain name is tried first, and a taken one is followed by others', () => {
  assert.is(channelName('Acme/web.app', 0), 'acme-web-app');
  const names = [0, 1, 2, 3, 4].map((attempt) => channelName('acme/web', attempt));
  assert.is(new Set(names).size, 5);
});

test('repositories that look alike as names do not share the second name', () => {
  assert.is(channelName('acme/web.app', 0), channelName('acme/web-app', 0));
  assert.is.not(channelName('acme/web.app', 1), channelName('acme/web-app', 1));
});

test.run();
