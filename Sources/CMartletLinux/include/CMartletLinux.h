#pragma once

#include "MartletDevices.h"
#include "MartletPoll.h"
