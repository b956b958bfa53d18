import type { FastifyInstance } from 'fastify';
import { readStrings } from '../fields.ts';
import { requireUser } from '../http.ts';
import type { World } from '../world.ts';

/** What clients ask before anything else. */
export function systemRoutes(app: FastifyInstance, world: World): void {
  app.get('/system/ping', async () => ({
    AndroidLatestVersion: '',
    AndroidMinVersion: '',
    DesktopLatestVersion: '',
    DesktopMinVersion: '',
    IosLatestVersion: '',
    IosMinVersion: '',
    status: 'OK',
  }));

  app.get('/config/client', async () => ({
    Version: '11.6.0',
    BuildNumber: 'simulator',
    CollapsedThreads: 'always_on',
    EnableBotAccountCreation: 'true',
    EnableUserAccessTokens: 'true',
    MaxFileSize: String(100 * 1024 * 1024),
    PostEditTimeLimit: '-1',
    SiteName: 'Mattermost stand-in',
  }));

  app.get('/license/client', async () => ({ IsLicensed: 'false' }));

  app.post('/roles/names', async (request) => {
    requireUser(world, request);
    return readStrings(request.body, 'rolenames').map((name) => ({ id: name, name, permissions: [], built_in: true }));
  });
}
