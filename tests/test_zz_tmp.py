import time
from small_study import *
def test_x(run, study, tmp_path):
    bring(study, write_lines(tmp_path/"f", *(line(k, labels=[label()], verdicts=[verdict()]) for k in range(60))))
    for c in ("status","verify","labels","agree")*2:
        t=time.time(); r=run(c,"--study",study); print(c, r.returncode, round(time.time()-t,2))
