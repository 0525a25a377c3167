#include "cswx.h"
