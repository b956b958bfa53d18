/** What images and Features add to a devcontainer, asked of the devcontainer CLI and of the runtime. */
import { TerminalError } from '../../actors/index.ts';
import { type CliCall, inCleanEnvironment, readConfigurationWords } from './cli.ts';
import type { Host } from './containers.ts';
import { upError, upTimeout } from './errors.ts';
import { createLogReader } from './progress.ts';
import { createScrub } from './scrub.ts';

export interface Contributions {
  readonly features: readonly { readonly id: string; readonly feature: unknown }[];
  /** `mergedConfiguration`: variables substituted. */
  readonly merged: unknown;
}

export interface ReadRequest extends CliCall {
  readonly localEnv: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (sentence: string) => void;
}

/**
 * `devcontainer read-configuration`: resolves Features and reads the image's labels, which may mean to fetch the image.
 * Runs nothing of the repository and makes no container.
 */
export async function readConfiguration({ shell }: Host, request: ReadRequest): Promise<Contributions> {
  const { localEnv, timeoutMs, signal, onProgress } = request;
  const scrub = createScrub(Object.values(localEnv));
  const log = createLogReader((sentence) => onProgress?.(scrub(sentence)));
  // As for `up`: what the CLI leaves there goes with the container.
  const env = { ...localEnv, TMPDIR: request.userData };
  const result = await shell
    .exec(inCleanEnvironment(readConfigurationWords(request), Object.keys(env)), {
      timeoutMs,
      signal,
      env,
      maxOutputBytes: 4 * 1024 * 1024,
      onLine: (line, stream) => {
        if (stream === 'stderr') log.take(line);
      },
    })
    .catch((error: unknown) => {
      const isTimeout = typeof error === 'object' && error !== null && 'code' in error && error.code === 'SSH_TIMEOUT';
      throw isTimeout ? upTimeout(Math.round(timeoutMs / 1000), '', error) : error;
    });
  if (result.code !== 0) {
    const message = scrub(result.stderr.slice(-4000));
    const lines = log.lastLines().map(scrub);
    throw upError({ description: '', containerId: '', lines, message, exitCode: result.code });
  }
  return parseConfiguration(result.stdout);
}

/** @throws TerminalError if it is not what version 0.89 prints: then nothing can be said about the configuration */
export function parseConfiguration(stdout: string): Contributions {
  const answer = objectOf(parseJson(stdout.trim().split('\n').at(-1) ?? ''));
  const merged = answer.mergedConfiguration;
  if (typeof merged !== 'object' || merged === null) {
    throw new TerminalError('DEVCONTAINER_ANSWER', 'read-configuration: no mergedConfiguration', {
      human: 'The devcontainer CLI of the VM answers in an unknown way. It must be version 0.89 or newer.',
    });
  }
  const { featureSets = [] } = objectOf(answer.featuresConfiguration);
  const features = (Array.isArray(featureSets) ? featureSets : []).flatMap((set: unknown) => {
    const { features: list, sourceInformation } = objectOf(set);
    const { userFeatureId } = objectOf(sourceInformation);
    return (Array.isArray(list) ? list : []).map((feature: unknown) => ({
      id: typeof userFeatureId === 'string' ? userFeatureId : 'of unknown name',
      feature,
    }));
  });
  return { features, merged };
}

/** The label `devcontainer.metadata` of the images that are on the VM. Others have nothing to say yet. */
export async function readImageLabels(
  { shell, runtime }: Host,
  images: readonly string[],
  signal?: AbortSignal,
): Promise<readonly { readonly image: string; readonly label: string }[]> {
  const labels: { image: string; label: string }[] = [];
  for (const image of new Set(images)) {
    const words = [runtime, 'image', 'inspect', '--', image];
    const { code, stdout } = await shell.exec(words, { timeoutMs: 60_000, signal, maxOutputBytes: 4 * 1024 * 1024 });
    if (code !== 0) continue;
    const [details]: readonly unknown[] = [parseJson(stdout)].flat();
    const label = objectOf(objectOf(objectOf(details).Config).Labels)['devcontainer.metadata'];
    if (typeof label === 'string') labels.push({ image, label });
  }
  return labels;
}

/** Images that a Dockerfile begins with, as far as they are written out. */
export function baseImages(dockerfile: string): readonly string[] {
  return [...dockerfile.matchAll(/^\s*FROM\s+(?:--\S+\s+)*([^\s$]+)(?:\s|$)/gim)].map(([, image = '']) => image);
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
