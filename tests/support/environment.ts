/** A whole development environment in a folder of its own, for tests that want everything real. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Environment,
  type EnvironmentOptions,
  removeEnvironment,
  startEnvironment,
} from '../../simulator/src/dev/environment.ts';

export interface TestEnvironment extends Environment {
  readonly dataDir: string;
}

export async function startTestEnvironment(
  options: Partial<Pick<EnvironmentOptions, 'gatewayEnv' | 'slowDelayMs' | 'modelHost'>> = {},
): Promise<TestEnvironment> {
  const dataDir = await mkdtemp(join(tmpdir(), 'csm-test-'));
  try {
    const environment = await startEnvironment({
      dataDir,
      port: 0,
      model: 'scripted',
      ...options,
      gatewayEnv: { SM_CONTAINER_MAX_SESSIONS: '50', ...options.gatewayEnv },
    });
    return {
      ...environment,
      dataDir,
      stop: async () => {
        await environment.stop();
        await removeEnvironment(dataDir);
      },
    };
  } catch (error) {
    await removeEnvironment(dataDir);
    throw error;
  }
}
