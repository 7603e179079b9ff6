// The object that a program is linked with whose files are compiled with LINNET_COMPILED:
//
//     g++ -std=c++20 -O2 -fopenmp -isystem include -c include/linnet/instances.cpp
//
// CMake makes a library of it, linnet::compiled.
#define LINNET_INSTANCE template
#include "linnet/instances.hpp"
