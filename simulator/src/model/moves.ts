import { isAbsolute, join } from 'node:path';
import type { Call, Scene } from './conversation.ts';
import { asCode, fenced, readLines, withoutLineNumbers } from './prose.ts';
import type { Question, Step } from './steps.ts';

/** The steps that need tools. */
export type ToolStep = Extract<
  Step,
  { kind: 'create' | 'append' | 'replace' | 'read' | 'run' | 'ask' | 'plan' | 'network' | 'send' | 'agent' }
>;

/** What a step does next: one more tool call, or its end with what there is to say about it. */
export type Move =
  | { kind: 'call'; name: string; input: Record<string, unknown>; remark: string }
  | { kind: 'done'; report: string; giveUp?: boolean };

/**
 * The next move of a step, from the calls already made for it. Whether it is a call or the end depends on those calls
 * only, so a conversation can be replayed; which call, also on the scene as it is now.
 */
export function nextMove(step: ToolStep, scene: Scene, made: Call[]): Move {
  const calls = made.filter((call) => call.name !== 'ToolSearch');
  const move = decide(step, scene, calls);
  if (move.kind === 'done' || scene.loaded.includes(move.name)) return move;
  const search = { query: `select:${move.name}`, max_results: 5 };
  const searched = made.some((call) => call.name === 'ToolSearch' && call.input.query === search.query);
  if (scene.deferred.includes(move.name) && scene.loaded.includes('ToolSearch') && !searched) {
    return { kind: 'call', name: 'ToolSearch', input: search, remark: `I load the tool ${move.name}.` };
  }
  return { kind: 'done', report: `I have no tool ${move.name} here, so this step is left undone.` };
}

function decide(step: ToolStep, scene: Scene, calls: Call[]): Move {
  switch (step.kind) {
    case 'create':
      return create(step.file, step.content, scene, calls);
    case 'append':
      return append(step.file, step.text, scene, calls);
    case 'replace':
      return replace(step, scene, calls);
    case 'read':
      return read(step.file, scene, calls);
    case 'run':
      return run(step.command, step.background, calls);
    case 'ask':
      return ask(step.questions, calls);
    case 'plan':
      return plan(step.text, scene, calls);
    case 'network':
      return network(step.hosts, step.reason, scene, calls);
    case 'send':
      return send(step.file, scene, calls);
    case 'agent':
      return agent(step, scene, calls);
  }
}

function create(file: string, content: string, scene: Scene, calls: Call[]): Move {
  const last = calls.at(-1);
  const write = call('Write', { file_path: absolute(file, scene), content }, `I write ${asCode(file)}.`);
  if (!last) return write;
  if (last.name === 'Read')
    return calls.filter(({ name }) => name === 'Write').length < 2 ? write : refused(file, last);
  if (last.failed && unread(last) && calls.length === 1) {
    return call('Read', { file_path: absolute(file, scene) }, `${asCode(file)} exists, so I read it first.`);
  }
  if (last.failed) return refused(file, last);
  return done(`I wrote ${asCode(file)}.`);
}

function append(file: string, text: string, scene: Scene, calls: Call[]): Move {
  const last = calls.at(-1);
  const path = absolute(file, scene);
  if (!last) return call('Read', { file_path: path }, `I read ${asCode(file)} before I change it.`);
  if (last.name !== 'Read') return last.failed ? refused(file, last) : done(`I appended to ${asCode(file)}.`);
  const content = last.failed ? '' : readLines(last.result).join('\n');
  if (content === '') return call('Write', { file_path: path, content: `${text}\n` }, `${asCode(file)} is new.`);
  const anchor = lastUnique(content);
  const input = { file_path: path, old_string: anchor, new_string: `${anchor}\n${text}`, replace_all: false };
  return call('Edit', input, `I append to ${asCode(file)}.`);
}

function replace(step: Extract<Step, { kind: 'replace' }>, scene: Scene, calls: Call[]): Move {
  const last = calls.at(-1);
  const path = absolute(step.file, scene);
  if (!last) return call('Read', { file_path: path }, `I read ${asCode(step.file)} before I change it.`);
  if (last.failed) return refused(step.file, last);
  if (last.name === 'Edit') return done(`I changed ${asCode(step.file)}.`);
  const input = { file_path: path, old_string: step.from, new_string: step.to, replace_all: true };
  return call('Edit', input, `I change ${asCode(step.file)}.`);
}

function read(file: string, scene: Scene, calls: Call[]): Move {
  const last = calls.at(-1);
  if (!last) return call('Read', { file_path: absolute(file, scene) }, `I read ${asCode(file)}.`);
  if (last.failed) return done(`I could not read ${asCode(file)}: ${last.result}`);
  return done(`${asCode(file)} holds:\n${fenced(withoutLineNumbers(last.result))}`);
}

function run(command: string, background: boolean, calls: Call[]): Move {
  const last = calls.at(-1);
  const said = asCode(command);
  if (!last) {
    const input = {
      command,
      description: 'Run what was asked for',
      ...(background ? { run_in_background: true } : {}),
    };
    return call('Bash', input, `I run ${said}.`);
  }
  if (last.failed && /^(?:Exit code|Error: Exit code)/.test(last.result)) {
    return done(`${said} failed:\n${fenced(last.result)}`);
  }
  if (last.failed) return done(`${said} was not run to its end: ${last.result}`);
  if (/^\(Bash completed with no output\)|^$/.test(last.result)) return done(`${said} ran without output.`);
  return done(`${said} printed:\n${fenced(last.result)}`);
}

function ask(questions: Question[], calls: Call[]): Move {
  const last = calls.at(-1);
  if (!last) {
    const asked = questions.map(({ question, options, multiSelect }, index) => ({
      question,
      header: questions.length === 1 ? 'Question' : `Question ${index + 1}`,
      options: options.map((label) => ({ label, description: `Choose ${label}` })),
      multiSelect,
    }));
    return call('AskUserQuestion', { questions: asked }, 'I have a question.');
  }
  if (last.failed) return done(`My question was not answered: ${last.result}`);
  const told = last.result
    .replace(/^Your questions? ha(?:s|ve) been answered: /, '')
    .replace(/ You can now continue with these answers in mind\.$/, '');
  return done(`I was told: ${told}`);
}

function plan(text: string, scene: Scene, calls: Call[]): Move {
  const last = calls.at(-1);
  if (last?.name === 'ExitPlanMode') {
    if (last.failed) return { ...done(`The plan was not approved: ${last.result}`), giveUp: true };
    return done(`The plan is approved:\n\n> ${text}`);
  }
  if (last?.failed && !(last.name === 'Write' && unread(last))) {
    return { ...done(`I could not propose the plan: ${last.result}`), giveUp: true };
  }
  if (!last && !scene.planMode) return call('EnterPlanMode', {}, 'This needs a plan.');
  const { planFile } = scene;
  if (last?.failed && planFile) return call('Read', { file_path: planFile }, 'I read the plan as it is.');
  if (last?.name !== 'Write' && planFile) {
    return call('Write', { file_path: planFile, content: `# Plan\n\n${text}\n` }, 'I write the plan.');
  }
  return call('ExitPlanMode', {}, 'I ask for approval.');
}

function network(hosts: string[], reason: string, scene: Scene, calls: Call[]): Move {
  const last = calls.at(-1);
  if (last) {
    return done(last.failed ? `Network access was refused: ${last.result}` : `Network access: ${last.result}`);
  }
  const tool = [...scene.loaded, ...scene.deferred].find((name) => /^mcp__.+__request_network_access$/.test(name));
  if (!tool) return done(hosts.map((host) => `[NETWORK_REQUEST: ${host}]`).join('\n'));
  return call(tool, { hosts, reason }, `I ask for network access to ${hosts.join(', ')}.`);
}

function send(file: string, scene: Scene, calls: Call[]): Move {
  const last = calls.at(-1);
  if (last) return done(last.failed ? `I could not send ${asCode(file)}: ${last.result}` : `I sent ${asCode(file)}.`);
  const tool = [...scene.loaded, ...scene.deferred].find((name) => /^mcp__.+__send_file$/.test(name));
  if (!tool) return done('I have no tool to send files here.');
  return call(tool, { path: file }, `I send ${asCode(file)}.`);
}

function agent(step: Extract<Step, { kind: 'agent' }>, scene: Scene, calls: Call[]): Move {
  const last = calls.at(-1);
  if (!last) {
    const description = `Work for ${step.name}`;
    const input = { description, subagent_type: step.name, prompt: step.prompt, run_in_background: step.background };
    return call(scene.loaded.includes('Task') ? 'Task' : 'Agent', input, `I hand this to ${step.name}.`);
  }
  if (last.failed) return done(`${step.name} could not do it: ${last.result}`);
  if (step.background) return done(`${step.name} works in the background.`);
  return done(`${step.name} reports:\n\n${handedBack(last.result).replace(/^/gm, '> ')}`);
}

/** A subagent's own words, without the frame Claude Code puts around them. */
function handedBack(result: string): string {
  const framed = /The report follows:\n([\s\S]*?)\n(?:agentId: |<usage>)/.exec(result)?.[1];
  return framed === undefined ? result : framed.replace(/^ {2}/gm, '').trim();
}

function call(name: string, input: Record<string, unknown>, remark: string): Move {
  return { kind: 'call', name, input, remark };
}

function done(report: string): Extract<Move, { kind: 'done' }> {
  return { kind: 'done', report };
}

function refused(file: string, last: Call): Move {
  return done(`I could not change ${asCode(file)}: ${last.result}`);
}

function unread(last: Call): boolean {
  return /has not been read|read it first/i.test(last.result);
}

function absolute(file: string, scene: Scene): string {
  return isAbsolute(file) ? file : join(scene.cwd, file);
}

/** The shortest run of last lines that occurs only once, without the final line breaks. */
function lastUnique(content: string): string {
  const lines = content.replace(/\n+$/, '').split('\n');
  for (let from = lines.length - 1; from > 0; from -= 1) {
    const part = lines.slice(from).join('\n');
    if (part !== '' && content.split(part).length === 2) return part;
  }
  return lines.join('\n');
}
