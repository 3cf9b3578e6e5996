/**
 * When growth uses up what there is: W(t) = W0 (1 + g)^t reaches the capacity after ln(capacity / now) / ln(1 + g) periods; the order
 * goes out a lead time before. Periods and days only: what date that is, is for the caller, who has a calendar.
 */
export interface Growth {
  /** Growth of the demand in one period, as a share. */
  rate: number
  periodDays: number
}

export interface Exhaustion {
  now: number
  capacity: number
  /** Days until the demand needs all of the capacity; 0 where it does already, undefined where it never will. */
  days: number | undefined
  /** Days until it must be ordered; below 0 it is late. */
  orderInDays: number | undefined
}

export function exhaustion(now: number, capacity: number, { rate, periodDays }: Growth, leadDays: number): Exhaustion {
  if (now >= capacity) return { now, capacity, days: 0, orderInDays: -leadDays }
  if (rate <= 0) return { now, capacity, days: undefined, orderInDays: undefined }
  const days = (Math.log(capacity / now) / Math.log1p(rate)) * periodDays
  return { now, capacity, days, orderInDays: days - leadDays }
}
