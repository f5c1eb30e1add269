import { type ServicePlan, stopSecondsOf } from './service-plan.ts';

/** The name of the agent, and of its file without `.plist`. */
export const LABEL = 'isthmus.gateway';

/** How soon launchd starts a gateway again; it knows no wait that grows, and no exit code that is final. */
const THROTTLE_SECONDS = 30;

/** launchd reads no file with variables, so a shell does: what the user wrote there is exported to the gateway. */
const WITH_VARIABLES = 'if [ -r "$0" ]; then set -a; . "$0"; set +a; fi; exec "$@"';

/**
 * The text of the launchd agent.
 *
 * @param logFile takes what the gateway writes
 */
export function launchAgent(plan: ServicePlan, logFile: string): string {
  const words = ['/bin/sh', '-c', WITH_VARIABLES, plan.environmentFile, ...plan.command];
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    '<plist version="1.0">',
    '<dict>',
    '  <key>Label</key>',
    `  <string>${LABEL}</string>`,
    '  <key>ProgramArguments</key>',
    '  <array>',
    ...words.map((word) => `    <string>${escapeXml(word)}</string>`),
    '  </array>',
    '  <key>RunAtLoad</key>',
    '  <true/>',
    '  <key>KeepAlive</key>',
    '  <dict>',
    '    <key>SuccessfulExit</key>',
    '    <false/>',
    '  </dict>',
    '  <key>ThrottleInterval</key>',
    `  <integer>${THROTTLE_SECONDS}</integer>`,
    '  <key>ExitTimeOut</key>',
    `  <integer>${stopSecondsOf(plan)}</integer>`,
    '  <key>StandardOutPath</key>',
    `  <string>${escapeXml(logFile)}</string>`,
    '  <key>StandardErrorPath</key>',
    `  <string>${escapeXml(logFile)}</string>`,
    '</dict>',
    '</plist>',
    '',
  ].join('\n');
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('\r', '&#13;');
}
