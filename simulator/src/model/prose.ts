/** Text in a fence that is longer than any fence inside it. */
export function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`{3,}/g)].map((match) => match[0].length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${text.replace(/\n$/, '')}\n${fence}`;
}

/** Text as inline code; its first line only, with an ellipsis if there is more. */
export function asCode(text: string): string {
  const [first = '', ...more] = text.split('\n');
  const shown = more.length > 0 ? `${first} …` : first;
  return shown.includes('`') ? `\`\` ${shown} \`\`` : `\`${shown}\``;
}

/** A file's lines from the Read tool's numbered output (`1<tab>text`); notes of the tool are left out. */
export function readLines(result: string): string[] {
  return result
    .replace(/<system-reminder>[\s\S]*?<\/system-reminder>/g, '')
    .split('\n')
    .map((line) => /^\s*\d+(?:\t|→)(.*)$/.exec(line)?.[1])
    .filter((line) => line !== undefined);
}

/** The Read tool's output without its line numbers, or as it is if it has none. */
export function withoutLineNumbers(result: string): string {
  const lines = readLines(result);
  return lines.length > 0 ? lines.join('\n') : result;
}

/** Numbered words `w5 w6 ...`: a lost or doubled one shows. */
export function numberedWords(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `w${from + index}`);
}

/** At least so many bytes of everything that is hard to show: headings, fences, tables, emoji, CJK, combining marks. */
export function longText(kilobytes: number): string {
  const sections: string[] = [];
  let bytes = 0;
  for (let n = 1; bytes < kilobytes * 1024; n += 1) {
    const section = longSection(n);
    sections.push(section);
    bytes += Buffer.byteLength(section) + 2;
  }
  return `${sections.join('\n\n')}\n\nEnd of the long answer: ${sections.length} sections.`;
}

function longSection(n: number): string {
  const parts = [
    `## Section ${n}\n\nThis is paragraph ${n} of a long answer, with **bold**, *italic* and \`code ${n}\`, a list:\n\n- one\n- two ${'🙂👩‍👩‍👧‍👦🇪🇺'}\n- three`,
    `### 第${n}节\n\n模型的回答很长，第${n}段没有空格，用来检查分割是否正确。日本語の文章も${n}番目にあります。한국어 ${n}.`,
    `\`\`\`ts\nexport const section${n} = (value: number): string => {\n  // ${n}: a comment with \`backticks\`\n  return \`\${value}-${n}\`;\n};\n\`\`\``,
    `| number | square | name |\n| ---: | ---: | --- |\n| ${n} | ${n * n} | row ${n} |\n| ${n + 1} | ${(n + 1) ** 2} | with a \\| bar |`,
    `> A quotation, number ${n}: e\u0301 is not é, <b>no tag</b> & no entity &amp; here.`,
  ];
  return parts[(n - 1) % parts.length] ?? '';
}
