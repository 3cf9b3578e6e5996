/** Solves a small symmetric system by Gaussian elimination with pivoting; undefined where it is singular. */
export function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] | undefined {
  const size = right.length
  const rows = matrix.map((row, i) => [...row, right[i] ?? 0])
  for (let column = 0; column < size; column++) {
    const pivot = rows.slice(column).reduce((best, row, i) => {
      return Math.abs(row[column] ?? 0) > Math.abs(rows[best]?.[column] ?? 0) ? column + i : best
    }, column)
    const [a = [], b = []] = [rows[column], rows[pivot]]
    rows[column] = b
    rows[pivot] = a
    const head = rows[column]?.[column] ?? 0
    if (head === 0 || !Number.isFinite(head)) return undefined
    for (const [i, row] of rows.entries()) {
      if (i === column) continue
      const factor = (row[column] ?? 0) / head
      for (let k = column; k <= size; k++) row[k] = (row[k] ?? 0) - factor * (rows[column]?.[k] ?? 0)
    }
  }
  const solution = rows.map((row, i) => (row[size] ?? 0) / (row[i] ?? 0))
  return solution.every(Number.isFinite) ? solution : undefined
}
