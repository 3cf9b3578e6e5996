import { runSlice } from './run.ts'

runSlice('workloads')
