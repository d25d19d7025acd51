// A library for LD_PRELOAD: lets the Nth call that changes a file system fail, or ends the process there.
//
//     RENE_FAULT_AT=N        which call, counted over all threads from 1; 0 counts only
//     RENE_FAULT=kill        the process is killed before the call is made
//     RENE_FAULT=after       the process is killed after the call was made
//     RENE_FAULT=28          the call fails with this errno, once
//     RENE_FAULT_BELOW=PATH  only calls of processes whose command line contains this word are counted
//     RENE_FAULT_LOG=FILE    receives a line for each counted call
