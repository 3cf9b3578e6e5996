import { runSlice } from './run.ts'

runSlice('rest')
