/** The package: a gateway inside another program. `isthmus serve` and `isthmus demo` use the same door. */
export { BootError } from './boot/boot-error.ts';
export { createGateway, type GatewayOptions, type RunningAgent, type RunningGateway } from './boot/create-gateway.ts';
export type { AgentDefinition } from './config/agent-definition.ts';
export type { Settings } from './config/settings.ts';
export { SettingsError } from './config/settings-error.ts';
export type { Log, LogFields, LogLevel } from './telemetry/log.ts';
