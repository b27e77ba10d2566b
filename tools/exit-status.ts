/** Exit statuses of the commands. */
export const EXIT_STATUS = { success: 0, badArguments: 1, failed: 2 } as const;
