/** Emoji with a picture of their own here; all others are shown by name. */
export const PICTURES = {
  '+1': '👍',
  thumbsup: '👍',
  '-1': '👎',
  thumbsdown: '👎',
  eyes: '👀',
  white_check_mark: '✅',
  heavy_check_mark: '✔️',
  x: '❌',
  heart: '❤️',
  tada: '🎉',
  rocket: '🚀',
  fire: '🔥',
  thinking: '🤔',
  hourglass: '⌛',
  hourglass_flowing_sand: '⏳',
  warning: '⚠️',
  no_entry: '⛔',
  no_entry_sign: '🚫',
  stop_sign: '🛑',
  octagonal_sign: '🛑',
  lock: '🔒',
  unlock: '🔓',
  key: '🔑',
  robot: '🤖',
  robot_face: '🤖',
  wave: '👋',
  smile: '😄',
  joy: '😂',
  question: '❓',
  exclamation: '❗',
  zzz: '💤',
  bulb: '💡',
  memo: '📝',
  gear: '⚙️',
  hammer_and_wrench: '🛠️',
  wrench: '🔧',
  package: '📦',
  mag: '🔍',
  repeat: '🔁',
  arrows_counterclockwise: '🔄',
  checkered_flag: '🏁',
  globe_with_meridians: '🌐',
  speech_balloon: '💬',
  information_source: 'ℹ️',
  red_circle: '🔴',
  large_green_circle: '🟢',
  clock1: '🕐',
};

/** Offered for a reaction. */
export const OFFERED = ['+1', '-1', 'white_check_mark', 'x', 'eyes', 'heart', 'tada', 'rocket'];

/** @param {string} name */
export function picture(name) {
  return PICTURES[name] ?? `:${name}:`;
}
