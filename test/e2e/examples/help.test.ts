import { runSlice } from './run.ts'

runSlice('help')
