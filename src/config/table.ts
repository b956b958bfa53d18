/**
 * Every environment variable of the gateway. The configuration, its documentation and `csm config --help` are made
 * from this table alone.
 */
export * from './table/chat.ts';
export * from './table/machine.ts';
export * from './table/network.ts';
export * from './table/service.ts';
