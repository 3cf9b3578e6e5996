/** What the system says of a file or a socket that failed, in words. */

const REASONS: Record<string, string> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is not a folder',
  EROFS: 'read-only file system',
  ENOSPC: 'no space left',
  EDQUOT: 'the quota is used up',
  EFBIG: 'larger than a file may be',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'its links run in a circle',
  EBADF: 'it is not open for writing',
  EEXIST: 'something of that name is in its place',
  EBUSY: 'it is in use',
  EPIPE: 'its reader is gone',
  ENXIO: 'no device is behind it',
  ECONNREFUSED: 'nobody listens there',
}

/** The system's reason in words: ENOENT -> 'no such file or folder'. */
export function systemReason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return REASONS[code] ?? (code || String(error))
}
