#pragma once

#include "MartletPoll.h"
