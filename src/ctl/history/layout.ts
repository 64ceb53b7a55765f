/** Where the parts of the chart are, in pixels from its upper left corner. */
export const LAYOUT = {
  width: 1000,
  height: 500,
  left: 74,
  right: 976,
  title: 34,
  subtitle: 54,
  legend: 78,
  memory: { top: 98, bottom: 274 },
  /** The middles of the lanes. */
  lanes: { guests: 296, decisions: 318, merging: 340 },
  cpu: { top: 364, bottom: 442 },
  times: 460,
  dates: 475,
} as const;
