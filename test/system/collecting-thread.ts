// A thread that collects, for the first time, at about the time at which others do.
import { collect } from '../../src/system/helper-threads.ts'

collect()
