/** The gateway's own HTTP: health, metrics, and the clicks that Mattermost passes on. */
export { type CallbackAnswer, type CallbackBody, NOT_VALID } from './callback.ts';
export { checkHealth, type HealthCheck, type HealthReport, type Probe } from './health.ts';
export { createMetrics, type Metrics, type Reader, type Readers, type Reading } from './metrics.ts';
export { type HttpLog, type HttpOptions, type HttpServer, startHttp } from './server.ts';
export { type Action, type SignedAction, type SigningKeys, signAction, verifyAction } from './signing.ts';
