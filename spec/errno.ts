/** The error numbers that KHO's calls answer with; a call that fails answers `-ERRNO`. */
export const ENOENT = 2;
export const ENOMEM = 12;
export const EBUSY = 16;
export const EEXIST = 17;
export const EINVAL = 22;
export const EADDRNOTAVAIL = 99;
