/**
 * What the model's API has told of a plan's limits. All times are Unix time in milliseconds; what is not known is absent. An API
 * key and the clouds have no such limits.
 */
export interface PlanLimits {
  /** When the newest of it was heard. */
  heardAt: number;
  /** Whether the plan takes requests. `rejected` while overage is in use: the plan itself is used up. */
  status?: LimitStatus;
  /** The limit that decides the status: the name of a window, or one that has no window here, such as `seven_day_opus`. */
  claim?: string;
  /** When that limit resets. */
  resetsAt?: number;
  /** By name: `five_hour`, `seven_day`, … */
  windows: Readonly<Record<string, PlanWindow>>;
  /** What is paid for beyond the plan. */
  overage?: PlanOverage;
}

export type LimitStatus = 'allowed' | 'allowed_warning' | 'rejected';

/** One window of a plan. */
export interface PlanWindow {
  heardAt: number;
  /** The part that is used; 1 is all of it. */
  utilization?: number;
  resetsAt?: number;
  status?: LimitStatus;
  /** The utilization at which the API began to warn. */
  surpassedThreshold?: number;
}

export interface PlanOverage {
  status?: LimitStatus;
  resetsAt?: number;
  /** Such as `org_level_disabled`. */
  disabledReason?: string;
  isInUse: boolean;
}
